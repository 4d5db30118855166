import { expect, test } from "@jest/globals";
import { slotCounters } from "../../../src/host/proxy/runtime";

const HEAD = "# pxname,svname,scur,status,last_chk,hrsp_5xx,req_tot,rtime,-,";
const rows = {
  green: 'app,green,0,MAINT,"refused, at once",3,100,12,,',
  blue: "app,blue,4,UP,,0,4711,8,,",
};
const csv = (head: string, ...lines: readonly string[]) => `${[head, ...lines].join("\n")}\n\n`;

test("finds both slots and the columns by their names, wherever they stand, and a comma in quotes is none", () => {
  expect(slotCounters(csv(HEAD, "http,blue,9,UP,,9,9,9,,", rows.green, rows.blue))).toEqual({
    blue: { requests: 4711, errors: 0, meanTime: 8, maint: false },
    green: { requests: 100, errors: 3, meanTime: 12, maint: true },
  });
});

test.each([
  ["a slot is not there", csv(HEAD, rows.blue), "do not say req_tot of green"],
  ["a column is not there", csv(HEAD.replace("rtime", "ttime"), rows.green, rows.blue), "do not say rtime of blue"],
  ["it answers something else", "Permission denied\n", "do not say req_tot of blue"],
])("says what it misses when %s", (_what, text, says) => {
  expect(() => slotCounters(text)).toThrow(says);
});
