#!/usr/bin/env bash
# Ends a job that somebody else's fork asked for, before its first step: this runner stands in a home.
set -euo pipefail

# a fork that was deleted since has no repository any more, and is still no part of this one
whose=$(jq --raw-output '
  if .pull_request then .pull_request.head.repo.full_name // "a deleted fork"
  elif .workflow_run then .workflow_run.head_repository.full_name // "a deleted fork"
  else env.GITHUB_REPOSITORY end' "$GITHUB_EVENT_PATH")
if [[ "$whose" != "$GITHUB_REPOSITORY" ]]; then
  echo "::error::pull requests from forks do not run here: $whose"
  exit 1
fi
