// Deploys one project with the platform's deployer and writes what it answered as JSON:
//
//   node deploy.js PROJECT API_HOST RESULT
//
// RESULT: {"failures": [{"where", "message"}], "triggers": [name]}. The exit code is 0 whenever
// RESULT was written: a failed deployment is an answer too.
'use strict'

const fs = require('fs')

// The deployer's HTTP client sends even loopback requests through a proxy. The build, which
// downloads packages, needs the proxy: it is hidden only until the client has been made.
const PROXIES = ['PROXY', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap(name => [name, name.toLowerCase()])

const failure = (error) => ({
  where: error.context || 'project.yml',
  message: error.message || String(error)
})

async function deployProject(deployer, project, apihost) {
  const hidden = Object.fromEntries(PROXIES.filter(name => name in process.env).map(name => [name, process.env[name]]))
  Object.keys(hidden).forEach(name => delete process.env[name])
  process.env.__OW_API_HOST = apihost

  const credentials = { namespace: 'fn-deploy-check', ow: { apihost, api_key: 'deploy:check' } }
  const flags = { verboseZip: true }
  const runtimes = await deployer.initRuntimes()
  const spec = await deployer.readAndPrepare(project, {}, credentials, deployer.fileSystemPersister, flags, runtimes)
  if (spec.error) return { failures: [spec.error], successes: [] }

  Object.assign(process.env, hidden)
  const built = await deployer.buildProject(spec, runtimes)
  if (built.error) return { failures: [built.error], successes: [] }
  return deployer.deploy(built)
}

async function main([project, apihost, resultFile]) {
  const deployer = require('@nimbella/nimbella-deployer')
  deployer.initializeAPI('tollgate-deploy-check')
  const outcome = await deployProject(deployer, project, apihost)
  fs.writeFileSync(resultFile, JSON.stringify({
    failures: outcome.failures.map(failure),
    triggers: outcome.successes.filter(({ kind }) => kind === 'trigger').map(({ name }) => name)
  }))
}

main(process.argv.slice(2)).catch(error => {
  console.error(error)
  process.exitCode = 1
})
