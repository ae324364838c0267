"""What tests ask of a page in a browser: JavaScript."""

HEARD = """async root => {
    const audio = await root.drumlib.samples();
    const bytes = new Uint8Array(audio.buffer, audio.byteOffset, audio.byteLength);
    let sum = 2166136261;  // FNV-1a, of every byte
    for (const byte of bytes) sum = Math.imul(sum ^ byte, 16777619);
    return [audio.length, audio.reduce((most, x) => Math.max(most, Math.abs(x)), 0), sum >>> 0];
}"""
"""How many samples would be heard now, the loudest of them, and a checksum of their bytes."""
