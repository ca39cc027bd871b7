#!/usr/bin/env bash
# Installs what compare.py measures against, on Debian or Ubuntu: PyTorch with torchvision and ONNX from the distribution,
# ONNX Runtime from the npm registry (its CPU library ships inside the package). Needs root for apt-get.
set -euo pipefail
cd "$(dirname "$0")"
apt-get update
apt-get install -y --no-install-recommends python3-torch python3-torchvision python3-onnx libopenblas0-pthread util-linux
command -v npm > /dev/null || apt-get install -y --no-install-recommends nodejs npm
mkdir -p ../../artifacts/peers
cd ../../artifacts/peers
[ -f package.json ] || echo '{ "private": true }' > package.json
ONNXRUNTIME_NODE_INSTALL=skip npm install --ignore-scripts --no-fund --no-audit onnxruntime-node@1.30
