// A setting's value in plain JavaScript: what leaves lib/config. Integers are numbers when exact, else decimal text.

export type FieldValue = string | number | boolean | readonly FieldValue[] | { readonly [key: string]: FieldValue };
