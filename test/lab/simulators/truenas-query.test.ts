// The query language.
import { describe, expect, test } from "vitest";
import { query } from "../../simulators/world/nas/query.ts";

describe("a query", () => {
  const rows = [
    { id: 1, name: "a", at: { dtype: "DISK" }, tags: ["x"] },
    { id: 2, name: "B", at: { dtype: "NIC" }, tags: [] },
    { id: 3, name: "ab", at: { dtype: "DISK" }, tags: ["y"] },
  ];
  const ids = (...filters: unknown[]) => (query(rows, filters) as { rows: { id: number }[] }).rows.map(({ id }) => id);
  test.each<[unknown[][], number[]]>([
    [[["name", "=", "a"]], [1]],
    [[["name", "!=", "a"]], [2, 3]],
    [
      [
        ["id", ">", 1],
        ["id", "<=", 2],
      ],
      [2],
    ],
    [[["at.dtype", "=", "DISK"]], [1, 3]],
    [[["id", "in", [1, 2]]], [1, 2]],
    [[["id", "nin", [1, 2]]], [3]],
    [[["tags", "rin", "y"]], [3]],
    [[["tags", "rnin", "y"]], [1, 2]],
    [[["name", "^", "a"]], [1, 3]],
    [[["name", "!^", "a"]], [2]],
    [[["name", "$", "b"]], [3]],
    [[["name", "C=", "b"]], [2]],
    [[["name", "~", "[ab]$"]], [1]],
    [
      [
        [
          "OR",
          [
            ["id", "=", 1],
            ["name", "=", "B"],
          ],
        ],
      ],
      [1, 2],
    ],
    [
      [
        [
          "OR",
          [
            [
              ["id", "=", 1],
              ["name", "=", "B"],
            ],
            ["id", "=", 3],
          ],
        ],
      ],
      [3],
    ],
  ])("%j", (filters, found) => expect(ids(...filters)).toEqual(found));
  test("orders, cuts, counts, gets one, selects", () => {
    expect(query(rows, [], { order_by: ["-id"], offset: 1, limit: 1 })).toEqual({ rows: [rows[1]] });
    expect(query(rows, [["id", ">", 1]], { count: true })).toEqual({ rows: 2 });
    expect(query(rows, [["id", "=", 3]], { get: true })).toEqual({ rows: rows[2] });
    expect(query(rows, [["id", "=", 9]], { get: true })).toMatchObject({ error: { errno: 22, reason: "MatchNotFound()" } });
    expect(query(rows, [["id", "=", 2]], { select: ["at.dtype", ["name", "called"]] })).toEqual({
      rows: [{ at: { dtype: "NIC" }, called: "B" }],
    });
    expect(query(rows, [["id", "??", 2]])).toMatchObject({ error: { code: -32602 } });
  });
});
