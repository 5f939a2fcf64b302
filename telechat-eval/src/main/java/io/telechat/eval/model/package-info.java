// SPDX-License-Identifier: Apache-2.0
/** Who answers the questions of a benchmark: a model in this process, a server, or a file of saved answers. */
package io.telechat.eval.model;
