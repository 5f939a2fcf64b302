// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import io.telechat.eval.task.Query;
import java.util.concurrent.CompletableFuture;

/** Answers the questions of a benchmark, many at once. What it says of one does not depend on the others. Thread-safe. */
public interface Answerer extends AutoCloseable {
    /** As results name it. */
    String name();

    /** What its answers depend on, beside the settings: a run that was cut short goes on only where this is the same. */
    String identity();

    /** What ends a text in the model's vocabulary, which is cut off, too. */
    String endOfText();

    /** How many questions it should have before it at a time. */
    int parallel();

    /** Whether it can be asked for a document; answers that were saved may be of a run with a limit. */
    default boolean has(Asked asked) {
        return true;
    }

    /** @throws io.telechat.core.InvalidRequestException if it can only answer */
    CompletableFuture<Likelihoods> likelihoods(Asked asked, Query.Choice choice);

    CompletableFuture<Answer> answer(Asked asked, Query.FreeAnswer query);

    @Override
    void close();
}
