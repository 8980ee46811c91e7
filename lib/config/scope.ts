// Variables by block: a name belongs to the block that first gave it a value, and inner blocks see it.

export class Scope<V> {
  private readonly names = new Map<string, V>();
  private readonly outer: Scope<V> | undefined;

  constructor(outer?: Scope<V>) {
    this.outer = outer;
  }

  find(name: string): V | undefined {
    let scope: Scope<V> | undefined = this as Scope<V>;
    while (scope !== undefined) {
      const found = scope.names.get(name);
      if (found !== undefined) return found;
      scope = scope.outer;
    }
    return undefined;
  }

  define(name: string, value: V): void {
    this.names.set(name, value);
  }

  known(): string[] {
    const names = [...this.names.keys()];
    return this.outer === undefined ? names : [...names, ...this.outer.known()];
  }
}
