<#
Installs, upgrades, rolls back or removes Counter Listener from this bundle, without a network:
    powershell -ExecutionPolicy Bypass -File install.ps1 install --service listen
install.py does the work and tells its options: install.ps1 --help
#>
$ErrorActionPreference = 'Stop'
$here = Split-Path -Parent $MyInvocation.MyCommand.Path
$wanted = (Get-Content -Raw (Join-Path $here 'bundle.json') | ConvertFrom-Json).python

if (-not (Get-Command py -ErrorAction SilentlyContinue)) {
    [Console]::Error.WriteLine("Error: Python $wanted (64-bit, with the launcher py) is needed; install it from python.org.")
    exit 1
}
& py "-$wanted" (Join-Path $here 'install.py') @args
exit $LASTEXITCODE
