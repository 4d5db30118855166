import { expect, test } from "@jest/globals";
import request from "supertest";
import { sampleApp } from "./sample";

const broken = () => {
  throw new Error("the database password is hunter2");
};

test.each([
  ["a path that does not exist", "get", "/nope", 404, "Not Found"],
  ["a path that is not valid percent-encoding", "get", "/%zz", 400, "Bad Request"],
  ["a method that the path does not have", "post", "/health", 405, "Method Not Allowed"],
] as const)("%s is answered with a problem", async (_what, method, path, status, title) => {
  const { app } = sampleApp();
  const answer = await request(app)[method](path).set("X-Request-Id", "req-1").expect(status);
  expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
  expect(answer.body).toEqual({ type: "about:blank", title, status, detail: expect.any(String), requestId: "req-1" });
});

test("a wrong method is told which ones are right", async () => {
  await request(sampleApp().app).delete("/version").expect(405).expect("Allow", "GET, HEAD");
});

test("HEAD is answered like GET, without a body", async () => {
  const answer = await request(sampleApp().app).head("/health").expect(200);
  expect(answer.text).toBeUndefined();
});

test("a range that a file does not have is the client's fault, not ours", async () => {
  const answer = await request(sampleApp().app).get("/style.css").set("Range", "bytes=9999999-").expect(416);
  expect(answer.body).toMatchObject({ status: 416, title: "Range Not Satisfiable" });
});

test("an error inside tells the client nothing, and the log everything", async () => {
  const { app, lines } = sampleApp({ lagMs: broken });
  const answer = await request(app).get("/").set("X-Request-Id", "req-2").expect(500);
  expect(answer.body).toMatchObject({ status: 500, title: "Internal Server Error", requestId: "req-2" });
  expect(answer.text).not.toMatch(/hunter2|\.ts|at /);
  expect(lines).toMatchObject([
    { level: "error", requestId: "req-2", status: 500, err: { stack: expect.stringContaining("hunter2") } },
  ]);
});
