// All that is asked of AWS to find hosts, to get in, to fill a request in and as evidence, in one place to be read when it is needed.
export { leastBake } from "./alarm-verdict";
export { watchAlarms } from "./alarm-watch";
export { alarmSource, snapshotAlarms } from "./alarms";
export { closeDoor, openDoor } from "./door";
export { parametersUnder, variablesOfSecrets } from "./environment";
export { hostKeys } from "./host-keys";
export { freshKey, sendKey } from "./instance-connect";
export { findInstances } from "./instances";
export { registryLogin } from "./registry-login";
export { runnerAddresses } from "./runner-address";
export { openAws } from "./session";
export { openSignals } from "./signals";
