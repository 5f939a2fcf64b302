// SPDX-License-Identifier: Apache-2.0
/** Pages of HTML that need nothing else: reports of training and of evaluation. */
package io.telechat.core.html;
