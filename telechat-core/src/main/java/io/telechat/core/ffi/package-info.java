// SPDX-License-Identifier: Apache-2.0
/** Calls into native libraries through the foreign-function API. The only package that makes downcalls. */
package io.telechat.core.ffi;
