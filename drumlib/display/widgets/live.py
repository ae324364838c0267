"""A stage with a kernel: a knob is turned, and its take is computed then.

Only what ipywidgets 7.7 (Colab's) and 8 share is used, so that the same box works in JupyterLab, Colab and Voila. An
error is shown in place of the take, and the knobs still work.
"""

import html


def stage_box(stage):
    """``Stage.live``: the knobs as sliders and lists, and an Output below them with the take they are set to."""
    import ipywidgets

    knobs = [control(knob) for knob in stage.knobs]
    output = ipywidgets.Output()

    def refresh(_=None):
        try:
            show(output, stage.take_html(*[knob.value for knob in knobs]))
        except Exception as error:  # of any kind: the reader is told, and can turn the knob back
            show(output, error_html(error))

    for knob in knobs:
        knob.observe(refresh, "value")
    refresh()
    return ipywidgets.VBox([*knobs, output])


def control(knob):
    """The widget of a knob; its value is the index of the knob's value. ipywidgets escapes the options' text."""
    import ipywidgets

    options = list(zip(knob.texts, range(len(knob.values)), strict=True))
    look = {"style": {"description_width": "11em"}, "layout": ipywidgets.Layout(width="min(34em, 98%)")}
    if len(options) == 1 or isinstance(knob.values[knob.start], str):
        return ipywidgets.Dropdown(options=options, value=knob.start, description=knob.label, **look)
    return ipywidgets.SelectionSlider(
        options=options, value=knob.start, description=knob.label, continuous_update=False, **look
    )


def error_html(error: Exception) -> str:
    """An error as HTML. Its message is escaped, since it may quote a stranger's file."""
    text = str(error) or type(error).__name__
    return f'<p role="alert">That did not work: {html.escape(text)}</p>'


def show(output, page: str) -> None:
    """Show a piece of HTML in an Output, in place of what was there.

    As the Output's state, not captured by ``with output``: what is captured, nbclient (by which Voila runs a notebook)
    answers on the channel on which it waits for the cell's end, and may then miss the end (nbclient, issue 312).
    """
    output.outputs = ({"output_type": "display_data", "data": {"text/html": page}, "metadata": {}},)
