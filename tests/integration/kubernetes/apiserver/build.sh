#!/bin/sh
# Builds the API server of these tests from Debian's packages of Kubernetes' libraries.
#   build.sh CACHE OUTPUT    CACHE keeps the packages and Go's cache: 4 GB, minutes the first time
# Debian's unstable suite moves; when the build breaks, these tests say so and do not run.
set -eu
cache=$1 output=$2
source=$(cd "$(dirname "$0")" && pwd)
sid=$cache/sid
mkdir -p "$cache/go/src/kapi/gen"
if ! [ -d "$sid/usr/share/gocode" ]; then
    mmdebstrap --quiet --variant=extract --components=main \
        --include=golang-go,golang-k8s-apiextensions-apiserver-dev,golang-k8s-apiserver-dev \
        --aptopt='Acquire::Check-Valid-Until "false"' sid "$sid.part"
    mv "$sid.part" "$sid"
fi
GOROOT=$(echo "$sid"/usr/lib/go-1.*)
export GOROOT GOPATH="$cache/go:$sid/usr/share/gocode" GOCACHE="$cache/gocache"
export GO111MODULE=off GOTOOLCHAIN=local CGO_ENABLED=0 PATH="$GOROOT/bin:$PATH"
rm -f "$cache/go/src/kapi/"*.go
cp "$source"/*.go "$cache/go/src/kapi/"
cd "$cache/go/src/kapi"
if ! grep -qs k8s.io/api/batch/v1 gen/openapi.go; then
    echo 'package gen' >gen/doc.go
    : >"$cache/empty.txt"
    go build -o "$cache/openapi-gen" k8s.io/kube-openapi/cmd/openapi-gen
    "$cache/openapi-gen" --go-header-file "$cache/empty.txt" --output-dir gen \
        --output-pkg kapi/gen --output-file openapi.go -r "$cache/violations.txt" \
        k8s.io/api/core/v1 k8s.io/api/apps/v1 k8s.io/api/autoscaling/v1 k8s.io/api/autoscaling/v2 \
        k8s.io/api/networking/v1 k8s.io/api/policy/v1 k8s.io/api/batch/v1 \
        k8s.io/apimachinery/pkg/apis/meta/v1 \
        k8s.io/apimachinery/pkg/runtime k8s.io/apimachinery/pkg/version \
        k8s.io/apimachinery/pkg/api/resource k8s.io/apimachinery/pkg/util/intstr
fi
version=k8s.io/component-base/version
go build -o "$output" -ldflags \
    "-s -w -X $version.gitVersion=v1.36.4 -X $version.gitMajor=1 -X $version.gitMinor=36" .
