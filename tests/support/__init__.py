"""What tests share: made scans, copies of the workflow, servers, faults, expected rows."""
