// SPDX-License-Identifier: Apache-2.0
/** HTTP/1.1 over Netty: strict, bounded, and told when a client leaves. Knows nothing of models. */
package io.telechat.server.http;
