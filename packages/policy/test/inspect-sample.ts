/** A policy with everything that the language has. */
export const SAMPLE = `version: 1
metadata:
  name: billing-agent
  description: What the billing agent may do.
  expires: 2027-01-31T00:00:00Z
  tool_groups:
    sensitive: [database.read_users, secrets.get_key]
    egress: [web.http_request, email.send]
  data_flow:
    labels: { "@sensitive": [SENSITIVE], payment.process: [PCI] }
    blocks: { SENSITIVE: ["@egress"], PCI: ["@egress", logging.info] }
policies:
  - role: analyst
    permissions:
      - analytics.summarize
      - "@sensitive"
      - database.*
      - web.http_request
      - redact
      - logging.info
      - tool: reports.generate
        conditions:
          input:
            row_limit: { type: int, required: true, min: 1, max: 1000 }
            format: { in: [csv, pdf] }
            "filters.status": { ne: deleted, maxLength: 20 }
          output:
            $: { type: dict }
            total: { required: true, min: 0 }
            email: { action: redact }
            notes: { action: truncate, maxLength: 200 }
            "user.ssn": { action: filter, startsWith: "000", maxLength: 11 }
            phone: { action: redact, matches: "[0-9]{6,}", type: string }
            score: { action: deny, max: 5, required: true }
            deny_if_patterns: ["BEGIN PRIVATE KEY"]
            require_fields_absent: [password, token]
            max_bytes: 100000
      - tool: payroll.run
        allow: false
    sequence:
      - deny: [database.read_users, web.http_request]
        reason: unredacted data must not leave
      - allow: [database.read_users, redact, web.http_request]
      - deny: ["@sensitive", logging.info]
  - role: [clerk, intern]
    permissions:
      - tool: database.*
        conditions: { input: { table: { in: [orders] } } }
      - tool: database.drop
        allow: false
      - email.send
      - approve
    sequence:
      mode: deny
      rules:
        - allow: [database.read_users, approve, email.send]
        - allow: [database.list]
        - deny: [approve, approve]
  - role: admin
    permissions: ["*"]
`;
