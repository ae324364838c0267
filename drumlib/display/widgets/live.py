"""A stage with a kernel behind it: a knob is moved, and the take is computed now.

Only what ipywidgets 7.7 (Colab's) and 8 share is used, so that the same box works in JupyterLab, Colab and Voilà. What
goes wrong is said in plain words where the take would be, and the knobs stay alive.
"""

import html

from drumlib.display.widgets.stage import Stage, Take


def live(stage: Stage):
    """The stage as widgets.

    Parameters
    ----------
    stage
        Its knobs become sliders and lists; its ``play`` is called with their values.

    Returns
    -------
    ipywidgets.VBox
        The knobs, and an Output below them that shows the take they are set to.

    Raises
    ------
    ImportError
        If ipywidgets is not installed.
    """
    import ipywidgets

    knobs = [control(knob) for knob in stage.knobs]
    output = ipywidgets.Output()

    def refresh(_=None):
        show(output, shown(stage, [knob.value for knob in knobs]))

    for knob in knobs:
        knob.observe(refresh, "value")
    refresh()
    return ipywidgets.VBox([*knobs, output])


def control(knob):
    """The widget of a knob; its value is the index of the knob's value. Text in options is text to ipywidgets."""
    import ipywidgets

    options = list(zip(knob.texts, range(len(knob.values)), strict=True))
    look = {"style": {"description_width": "11em"}, "layout": ipywidgets.Layout(width="min(34em, 98%)")}
    if len(options) == 1 or isinstance(knob.values[knob.start], str):
        return ipywidgets.Dropdown(options=options, value=knob.start, description=knob.label, **look)
    return ipywidgets.SelectionSlider(
        options=options, value=knob.start, description=knob.label, continuous_update=False, **look
    )


def shown(stage: Stage, indices) -> str:
    """The HTML of the take at these indices; of the reason in plain words, if there is none."""
    try:
        return one_take(stage, stage.take(*indices)).html
    except Exception as error:  # whatever it is: the reader hears of it, and may move the knob back
        return error_html(error)


def one_take(stage: Stage, take: Take) -> Stage:
    """A stage without knobs for one take. Stems are rendered once, by the stage that it comes from."""
    names = list(stage.stems) if take.stem is None else [take.stem]
    stems = {name: stage.stems[name] for name in names}
    one = Stage(stage.title, (), lambda: take, bpm=stage.bpm, stems=stems, start_bar=stage.start_bar)
    if names:
        one.audio = {name: stage.audio[name] for name in names}  # in place of the cached property's own
    return one


def error_html(error: Exception) -> str:
    """An error in plain words, as HTML: what is in it may be somebody else's."""
    text = str(error) or type(error).__name__
    return f'<p role="alert">That did not work: {html.escape(text)}</p>'


def show(output, page: str) -> None:
    """Show a piece of HTML in an Output, in place of what was there.

    As the Output's state, not captured by ``with output``: what is captured, nbclient (by which Voila runs a notebook)
    answers on the channel on which it waits for the cell's end, and may then miss the end (nbclient, issue 312).
    """
    output.outputs = ({"output_type": "display_data", "data": {"text/html": page}, "metadata": {}},)
