import { expect, test } from "@jest/globals";
import { isPrivate, ownAddressTowards } from "../../../src/edge/own-address";
import { UserError } from "../../../src/user-error";

test.each([
  ["10.0.0.5", true],
  ["172.31.255.1", true],
  ["172.32.0.1", false],
  ["192.168.1.1", true],
  ["100.64.0.1", true],
  ["203.0.113.7", false],
  ["fd00::1", true],
  ["2001:db8::1", false],
  ["web.example.com", false],
])("an address that only a network of its own knows: %s %s", (address, expected) => {
  expect(isPrivate(address)).toBe(expected);
});

test("this machine's own address on the way to another is a range of one", async () => {
  expect(await ownAddressTowards("127.0.0.1")).toBe("127.0.0.1/32");
});

test("an address to which there is no way is a mistake of the user's", async () => {
  await expect(ownAddressTowards("nowhere.invalid")).rejects.toThrow(UserError);
});
