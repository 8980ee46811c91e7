// The recorder's Bash file is carried in the binary as text.
declare module "*.sh" {
  const text: string;
  export default text;
}
