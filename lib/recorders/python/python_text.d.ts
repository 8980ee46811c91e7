// The recorder's Python files are carried in the binary as text.
declare module "*.py" {
  const text: string;
  export default text;
}
