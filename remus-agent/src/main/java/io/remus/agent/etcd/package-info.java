/**
 * A client of etcd's v3 API through its JSON gateway. Why not jetcd:
 * docs/decisions/0021-etcd-by-its-json-gateway.md.
 */
package io.remus.agent.etcd;
