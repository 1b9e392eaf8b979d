#!/bin/bash
# Builds what a function is shipped with into shared/build/: the package `tollgate` and the
# vendor sets (requirements/<set>.txt, as .pyc alone), all compiled. The deployer runs this once,
# as the build of `lib/`, before it zips the functions; their .include files pick from it.
#
# TOLLGATE_RUNTIME=native vendors for the Python that runs this script (the local function
# host); otherwise for the platform's runtime, CPython 3.11 on Linux x86-64.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

PYTHON="${TOLLGATE_PYTHON:-python3.11}"
"$PYTHON" -c 'import pip' 2>/dev/null || {
    echo "shared/build.sh needs $PYTHON with pip: install Python 3.11, or name one in TOLLGATE_PYTHON" >&2
    exit 1
}
platform=(--platform manylinux2014_x86_64 --python-version 3.11 --implementation cp)
if [ "${TOLLGATE_RUNTIME:-}" = native ]; then
    platform=()
elif ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
    echo "shared/build.sh compiles for CPython 3.11, but $PYTHON is another version" >&2
    exit 1
fi

mkdir -p build
for lock in requirements/*.txt; do
    set_name="vendor-$(basename "$lock" .txt)"
    stamp="build/.$set_name.sha256"
    # of the platform, the lock, and this script
    wanted="$("$PYTHON" -c 'import hashlib, sys; print(hashlib.sha256(repr((sys.version_info[:2], sys.platform, sys.argv[1:], open(sys.argv[1], "rb").read(), open("build.sh", "rb").read())).encode()).hexdigest())' "$lock" "${platform[@]-}")"
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && continue
    echo "vendoring $set_name"
    rm -rf "build/$set_name" "$stamp"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-compile --no-deps \
        --require-hashes --only-binary=:all: ${platform[@]+"${platform[@]}"} \
        --target "build/$set_name" -r "$lock"
    # what no function imports: commands, packages' own tests, pydantic's copy of its version 1,
    # the types of Stripe's parameters, which are for type checkers
    rm -rf "build/$set_name"/{bin,*/tests,pydantic/v1,stripe/params,*.dist-info/RECORD}
    # Bytecode alone, each x.pyc in the place of its x.py. Without the sources, there is no use for
    # the columns that a traceback underlines in them either; it still names file and line.
    PYTHONNODEBUGRANGES=1 "$PYTHON" -m compileall -q -j 0 -b -s build --invalidation-mode unchecked-hash "build/$set_name"
    find "build/$set_name" \( -name '*.py' -o -name '*.pyi' \) -delete
    echo "$wanted" > "$stamp"
done

rm -rf build/tollgate
cp -R tollgate build/tollgate
# the operator's command, which runs from a checkout
rm -rf build/tollgate/{__main__.py,commands}
find build/tollgate -name __pycache__ -prune -exec rm -rf {} +
# unchecked-hash: the runtime trusts the .pyc without looking at the source; this copy is never edited.
"$PYTHON" -m compileall -q --invalidation-mode unchecked-hash build/tollgate
