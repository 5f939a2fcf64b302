// SPDX-License-Identifier: Apache-2.0
/** The threads that share the work of one operation. Depends on nothing. */
package io.telechat.core.workers;
