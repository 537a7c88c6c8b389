// How a tool written in Go words what the operating system said about a file.

const WORDS: Record<string, string> = {
  ENOENT: "no such file or directory",
  ENXIO: "no such device or address",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EISDIR: "is a directory",
  ENOTDIR: "not a directory",
  EEXIST: "file exists",
};

/** `open /dev/stdin: no such device or address`, from what Node threw in the stand-in's process. */
export function goError(path: string, thrown: unknown): string {
  const { code = "", syscall = "open", message = String(thrown) } = thrown as NodeJS.ErrnoException;
  return `${syscall} ${path}: ${WORDS[code] ?? message}`;
}

export const isMissing = (thrown: unknown) => (thrown as NodeJS.ErrnoException).code === "ENOENT";
