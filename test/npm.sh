#!/bin/bash
# npm.sh PACKAGE@VERSION... -- fetches packages from the npm registry and prints the folder node_modules that holds them.
# They are kept in build/npm, or in $DNNC_NPM, and fetched once. Exit 77: the registry cannot be reached, or there
# is no npm; 1: npm failed for another reason, which it says.
set -euo pipefail
folder=${DNNC_NPM:-$(cd "$(dirname "$0")/.." && pwd)/build/npm}
command -v npm >/dev/null || {
	echo "npm.sh: there is no npm here (./dev test installs it)" >&2
	exit 77
}
mkdir -p "$folder"
exec 9>"$folder/.lock"
flock 9

wanted=()
for package; do
	[[ -e $folder/.have/${package//\//+} && -d $folder/node_modules/${package%@*} ]] || wanted+=("$package")
done
if [[ ${#wanted[@]} -gt 0 ]]; then
	[[ -e $folder/package.json ]] || echo '{"name": "fetched", "private": true}' >"$folder/package.json"
	log=$folder/npm.log
	if ! npm install --ignore-scripts --save-exact --no-audit --no-fund --fetch-timeout=60000 --fetch-retries=1 \
		--prefix "$folder" "${wanted[@]}" >"$log" 2>&1 9>&-; then
		if grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT' "$log"; then
			echo "npm.sh: the npm registry cannot be reached" >&2
			exit 77
		fi
		tail -n 20 "$log" >&2
		exit 1
	fi
	mkdir -p "$folder/.have"
	for package in "${wanted[@]}"; do
		touch "$folder/.have/${package//\//+}"
	done
fi
echo "$folder/node_modules"
