import { test } from "@jest/globals";
import { missing } from "./terraform";

/** A test that needs Terraform: where there is none, it is skipped and its title says why. */
export const withTerraform = missing === "" ? test : test.skip;
export const titled = (title: string): string => (missing === "" ? title : `${title} (skipped: ${missing})`);
