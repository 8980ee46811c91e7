// Where tk was started, also when that directory has been removed meanwhile: a program can be run there all the same.

export function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    const named = process.env["PWD"];
    return named !== undefined && named.startsWith("/") ? named : "/";
  }
}
