// Decides the cases on standard input with @cloud-copilot/iam-simulate, which is not of this project.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(process.argv[2] + '/')
const { anonymousPrincipal, runSimulation } = require('@cloud-copilot/iam-simulate')

const named = (list) => (list ?? []).map((policy, i) => ({ name: `p${i}`, policy: JSON.parse(policy) }))

async function decide(c) {
  const simulation = {
    request: {
      principal: c.principal || anonymousPrincipal,
      action: c.action,
      resource: { resource: c.resource, accountId: c.owner },
      contextVariables: c.context,
    },
    identityPolicies: named(c.identity),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: c.policy ? JSON.parse(c.policy) : undefined,
    permissionBoundaryPolicies: c.boundary ? named([c.boundary]) : undefined,
    vpcEndpointPolicies: c.endpoint ? named([c.endpoint]) : undefined,
  }
  const result = await runSimulation(simulation, {})
  if (result.errors) throw new Error(JSON.stringify(result.errors))
  if (result.result?.ignoredContextKeys?.length) throw new Error(`no such keys: ${result.result.ignoredContextKeys}`)
  return result.overallResult
}

const answers = []
for (const c of JSON.parse(readFileSync(0, 'utf8'))) {
  try {
    answers.push(await decide(c))
  } catch (error) {
    answers.push(`${error}`)
  }
}
process.stdout.write(JSON.stringify(answers))
