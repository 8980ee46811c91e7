// The text of a source file from its bytes: UTF-8, or what a Python file declares in its first two lines (PEP 263). What does not fit becomes U+FFFD.

const COOKIE = /^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)/;

export function decodeSource(bytes: Uint8Array): string {
  const label = declaredCoding(bytes);
  if (label !== undefined)
    try {
      return new TextDecoder(label).decode(bytes);
    } catch {
      // A name that nobody knows, or a coding that is no character set.
    }
  return new TextDecoder().decode(bytes);
}

function declaredCoding(bytes: Uint8Array): string | undefined {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 400));
  const lines = head.split(/\r\n|\r|\n/);
  for (const line of lines.slice(0, 2)) {
    const label = COOKIE.exec(line)?.[1];
    if (label !== undefined) return webLabel(label.toLowerCase().replaceAll("_", "-"));
    // The second line counts only after a comment or a blank one.
    if (!/^[ \t\f]*(#|$)/.test(line)) return undefined;
  }
  return undefined;
}

/** Python's name of a coding as the web calls it. */
function webLabel(name: string): string {
  return name.replace(/-(unix|dos|mac)$/, "").replace(/^latin-(\d+)/, "latin$1");
}
