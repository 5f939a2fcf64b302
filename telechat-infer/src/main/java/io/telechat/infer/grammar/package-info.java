// SPDX-License-Identifier: Apache-2.0
/**
 * Answers of a given form. {@link io.telechat.infer.grammar.JsonSchema} compiles a schema to a {@link
 * io.telechat.infer.grammar.Grammar} of bytes; a {@link io.telechat.infer.grammar.TokenConstraint} lets only tokens be drawn that
 * keep to it.
 */
package io.telechat.infer.grammar;
