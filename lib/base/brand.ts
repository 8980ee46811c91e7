/** A type that is checked but not there at run time: `Brand<number, "Pid">` is a number that only `Pid` accepts. */
declare const tag: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [tag]: Name };
