// SPDX-License-Identifier: Apache-2.0
/** A model in this process behind Spring AI's interfaces: chat, whole or streamed, with tools and JSON schemas; embeddings; counts. */
package io.telechat.springai;
