<#
Makes the shortcut on the desktop, or removes it. install.py calls it; this file holds its name in Chinese.
#>
param([Parameter(Mandatory)][string]$Folder, [switch]$Remove)
$ErrorActionPreference = 'Stop'
$link = Join-Path ([Environment]::GetFolderPath('Desktop')) '柜台助手.lnk'

if ($Remove) {
    if (Test-Path $link) { Remove-Item $link }
    exit 0
}
$shortcut = (New-Object -ComObject WScript.Shell).CreateShortcut($link)
$shortcut.TargetPath = Join-Path $Folder 'bin\counter-listener.cmd'
$shortcut.Arguments = 'listen'
$shortcut.WorkingDirectory = $Folder
$shortcut.Description = 'Counter Listener'
$shortcut.Save()
