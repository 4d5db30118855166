// All that finding hosts and getting in needs of AWS, in one place to be read when it is needed.
export { closeDoor, openDoor } from "./door";
export { hostKeys } from "./host-keys";
export { freshKey, sendKey } from "./instance-connect";
export { findInstances } from "./instances";
export { runnerAddresses } from "./runner-address";
export { openAws } from "./session";
