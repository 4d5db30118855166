import { expect, test } from "@jest/globals";
import request from "supertest";
import { hueOf } from "../../app/src/theme";
import { sampleApp } from "./sample";

test("the page says which release, which commit, which host and since when", async () => {
  const { app } = sampleApp({ version: "2.4.1", commit: "c0ffee", host: "web-7" });
  const page = await request(app)
    .get("/")
    .expect(200)
    .expect("Content-Type", /^text\/html/);
  for (const shown of ["<h1>2.4.1</h1>", "c0ffee", "web-7", 'time datetime="20', 'data-live="state">ready']) {
    expect(page.text).toContain(shown);
  }
});

test("the page escapes whatever it prints", async () => {
  const hostile = `"'><script>alert(1)</script>&`;
  const { app } = sampleApp({ version: hostile, commit: hostile, host: hostile });
  const page = await request(app).get("/").expect(200);
  expect(page.text).not.toContain("<script>alert");
  expect(page.text).not.toContain(`"'>`);
  expect(page.text).toContain("<h1>&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;</h1>");
});

test("the page loads nothing from elsewhere, and its policy allows its own style by hash", async () => {
  const page = await request(sampleApp().app).get("/");
  expect(page.text).not.toMatch(/(src|href)="(https?:)?\/\//);
  expect(page.headers["content-security-policy"]).toMatch(/default-src 'none';.*style-src 'self' 'sha256-[\w+/=]+'/);
  expect(page.headers["content-security-policy"]).not.toContain("upgrade-insecure-requests");
  expect(page.headers["x-content-type-options"]).toBe("nosniff");
  expect(page.headers).not.toHaveProperty("x-powered-by");
});

test("the page's style and script are served", async () => {
  const { app } = sampleApp();
  await request(app)
    .get("/style.css")
    .expect(200)
    .expect("Content-Type", /^text\/css/);
  await request(app)
    .get("/page.js")
    .expect(200)
    .expect("Content-Type", /javascript/)
    .expect("Cache-Control", "no-cache");
});

test.each([
  ["1", "2"],
  ["v9", "v8"],
  ["1.4.2", "1.4.3"],
])("releases %s and %s look different at a glance", (one, other) => {
  const apart = Math.abs(hueOf(one) - hueOf(other));
  expect(Math.min(apart, 360 - apart)).toBeGreaterThan(90);
});

test("/version says version and commit", async () => {
  const { app } = sampleApp({ version: "7", commit: "beef" });
  const answer = await request(app).get("/version").expect(200).expect("Cache-Control", "no-store");
  expect(answer.body).toEqual({ version: "7", commit: "beef" });
});

test("/status counts the requests served, but neither health probes nor itself", async () => {
  const { app } = sampleApp();
  await request(app).get("/");
  await request(app).get("/nothing-here");
  await request(app).get("/health");
  await request(app).get("/status");
  const { body } = await request(app).get("/status");
  expect(body).toMatchObject({ version: "1", host: "host-a", state: "ready", served: 2, inFlight: 0 });
});
