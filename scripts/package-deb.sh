#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# package-deb.sh [FOLDER]
#
# Makes a package for Debian out of the release's archive, with a Java runtime in it, by jpackage (needs dpkg-deb and fakeroot).
# It puts telechat into /opt/telechat and links /usr/bin/telechat to it.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
out=${1:-telechat-cli/target}
# shellcheck source=scripts/launch.sh
. scripts/launch.sh
find_jdk
archive=$(ls telechat-cli/target/telechat-[0-9]*.zip)
version=${archive##*/telechat-}
version=${version%.zip}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && "$jdk/bin/jar" xf "$OLDPWD/$archive")
home=$work/telechat-$version
chmod +x "$home/bin/telechat" # which jar forgets

# An application as jpackage makes it, whose launcher is then the release's: it knows terminals, locales and the JVM's cache.
modules=$("$jdk/bin/java" --list-modules |
    sed -nE 's/^(java\.[a-z.]+|jdk\.(charsets|crypto\.ec|incubator\.vector|localedata|management|net|unsupported|zipfs))@.*/\1/p' |
    grep -vxE 'java\.(se|desktop)' | paste -sd,) # windows are not wanted, nor what they need
"$jdk/bin/jpackage" --type app-image --dest "$work" --name telechat --input "$home/lib" \
    --main-jar "telechat-cli-$version.jar" --main-class "$main" --add-modules "$modules" \
    --jlink-options "--strip-debug --no-man-pages --no-header-files"
image=$work/telechat
rm "$image/lib/app/"*.jar
mkdir "$image/lib/release"
cp -r "$home/." "$image/lib/release/"
cat > "$image/bin/telechat" << 'END'
#!/bin/sh
lib=$(dirname "$(readlink -f "$0")")/../lib
export JAVA_HOME="$lib/runtime"
exec "$lib/release/bin/telechat" "$@"
END

mkdir "$work/resources"
printf '#!/bin/sh\nset -e\n[ "$1" != configure ] || ln -sf /opt/telechat/bin/telechat /usr/bin/telechat\n' > "$work/resources/postinst"
printf '#!/bin/sh\nset -e\n[ "$1" != remove ] || rm -f /usr/bin/telechat\n' > "$work/resources/prerm"
"$jdk/bin/jpackage" --type deb --app-image "$image" --dest "$out" --name telechat --app-version "${version%-SNAPSHOT}" \
    --description "Run and fine-tune TeleChat language models" --vendor telechat --license-file "$home/LICENSE" \
    --linux-package-name telechat --linux-app-category science --resource-dir "$work/resources"
ls "$out"/telechat_*.deb
