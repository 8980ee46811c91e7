// What chalk's configurations may contain and tk has no use for: accepted so that a file written for both works, and told once.
// Names and types: chalk 1.2.0-dev, src/configs/chalk.c42spec.
import type { AttributeSpec, SectionSpec } from "./schema.ts";

const BY_TYPE: Readonly<Record<string, string>> = {
  bool:
    "always_try_to_sign chalk_contained_items chalk_debug con4m_pinpoint publish_audit recursive report_total_time " +
    "run_sast_tools run_sbom_tools run_secret_scanner_tools show_config use_pager use_transparent_auth virtual_chalk",
  int: "cache_fd_limit",
  string: "audit_location aws_iam_role crashoverride_usage_reporting_url default_tmp_dir selected_command",
  Size: "audit_file_size",
  "list[string]":
    "artifact_search_path ignore_patterns ignore_when_normalizing ktype_names pyc_extensions sidecar_extensions " +
    "valid_chalk_command_names valid_chalk_commands zip_extensions",
};

const OF_DOCKER: Readonly<Record<string, string>> = {
  bool: "attestation_use_oci_tag fallback_to_syft_sbom install_binfmt report_empty_fields",
  string: "binfmt_container busybox_container",
  Size: "registry_layer_chunk_size",
  Duration: "build_context_cache_max_age registry_layer_upload_timeout",
};

function attributes(byType: Readonly<Record<string, string>>): Readonly<Record<string, AttributeSpec>> {
  return Object.fromEntries(
    Object.entries(byType).flatMap(([type, names]) =>
      names
        .split(" ")
        .map((name) => [name, { type, fallback: undefined, doc: "accepted, not used", unused: true }] as const),
    ),
  );
}

export const UNUSED_ATTRIBUTES = attributes(BY_TYPE);
export const UNUSED_DOCKER_ATTRIBUTES = attributes(OF_DOCKER);

function unused(names: string): Readonly<Record<string, SectionSpec>> {
  const spec: SectionSpec = {
    named: false,
    doc: "accepted, not used",
    attributes: {},
    sections: {},
    open: "unused",
  };
  return Object.fromEntries(
    names
      .split(" ")
      .map((name) => [name, name.startsWith("=") ? spec : { ...spec, named: true }] as const)
      .map(([name, s]) => [name.replace("=", ""), s]),
  );
}

/** `=` marks the ones without a name of their own. */
export const UNUSED_SECTIONS = {
  root: unused(
    "mark_template tool plugin sink auth object_store_config tech_stack_rule linguist_language host_tech_rule " +
      "=attestation =extract =zip =git =load =certs =env_config =source_marks =cloud_provider =buildkit =memoize =scan_context",
  ),
  docker: unused("=docker_login_get docker_registry docker_push =docker_context_upload =scan_context"),
} as const;
