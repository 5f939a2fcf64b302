// SPDX-License-Identifier: Apache-2.0
/** Takes the documents of a task through a model, and keeps what has come of each. */
package io.telechat.eval.run;
