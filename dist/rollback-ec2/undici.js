"use strict";
let bundle;
module.exports = new Proxy({}, { get: (_target, name) => (bundle ??= require("./undici.bundle.js"))[name] });
