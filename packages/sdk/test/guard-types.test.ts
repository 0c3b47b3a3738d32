import { describe, expectTypeOf, it } from "vitest";
import { d2Guard } from "../src/index.js";

// Checked by the compiler when the tests are type-checked; nothing here runs a guarded call.
describe("the types of a guarded function", () => {
  it("are those of the function", () => {
    const add = d2Guard("t", function add(a: number, b?: string) {
      return a + Number(b);
    });
    expectTypeOf(add).toEqualTypeOf<(a: number, b?: string) => number>();
    const later = d2Guard("t", async (query: { table: string; limit: number }) => [query.table]);
    expectTypeOf(later).parameters.toEqualTypeOf<[{ table: string; limit: number }]>();
    expectTypeOf(later).returns.resolves.toEqualTypeOf<string[]>();
    expectTypeOf(d2Guard("t", { params: ["a"] }, add)).toEqualTypeOf<typeof add>();
    expectTypeOf(d2Guard("t")(add)).toEqualTypeOf<typeof add>();
    expectTypeOf(d2Guard(add)).toEqualTypeOf<typeof add>();
  });

  it("keep overloads, generics and this", () => {
    function convert(value: string): number;
    function convert(value: number): string;
    function convert(value: string | number): string | number {
      return typeof value === "string" ? Number(value) : String(value);
    }
    const guarded = d2Guard("t", convert);
    expectTypeOf(guarded).toEqualTypeOf<typeof convert>();
    const same = d2Guard("t", <T>(value: T): T => value);
    expectTypeOf(same).toEqualTypeOf<<T>(value: T) => T>();
    const bound = d2Guard("t", function (this: Date, n: number) {
      return this.getTime() + n;
    });
    expectTypeOf(bound).thisParameter.toEqualTypeOf<Date>();
  });

  it("are widened by onDeny, inside the promise where there is one", () => {
    const sync = d2Guard("t", { onDeny: null }, (n: number) => n);
    expectTypeOf(sync).toBeCallableWith(1);
    expectTypeOf(sync).returns.toEqualTypeOf<number | null>();
    const handled = d2Guard("t", { onDeny: (error) => error.reason.length }, (n: string) => n);
    expectTypeOf(handled).returns.toEqualTypeOf<string | number>();
    const later = d2Guard("t", { onDeny: async () => "no" as const }, async (n: number) => n);
    expectTypeOf(later).returns.resolves.toEqualTypeOf<number | "no">();
    expectTypeOf(d2Guard("t", { onDeny: false })((n: number) => n)).returns.toEqualTypeOf<number | false>();
  });

  it("leave a decorated method as it is, static or not", () => {
    class Tools {
      @d2Guard("t", { params: ["id"] })
      lookup(id: string): number {
        return id.length;
      }
      @d2Guard("t")
      static async find(id: number): Promise<string> {
        return String(id);
      }
    }
    expectTypeOf<Tools["lookup"]>().toEqualTypeOf<(id: string) => number>();
    expectTypeOf(Tools.find).toEqualTypeOf<(id: number) => Promise<string>>();
  });

  it("of a worker tool give a promise", () => {
    const heavy = d2Guard.worker<(n: number) => string>("t", "file:///heavy.js");
    expectTypeOf(heavy).toEqualTypeOf<(n: number) => Promise<string>>();
  });
});
