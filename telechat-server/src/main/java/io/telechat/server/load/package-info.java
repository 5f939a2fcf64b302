// SPDX-License-Identifier: Apache-2.0
/** The other side: a client that asks a server of the API for much, and times what comes. */
package io.telechat.server.load;
