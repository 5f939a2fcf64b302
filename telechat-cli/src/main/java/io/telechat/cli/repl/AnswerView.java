// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli.repl;

import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.TokenEvent;

/** Where the dialog shows what happens. */
public interface AnswerView {
    void token(TokenEvent event);

    void finished(Generation generation, long seed);

    /** Shows thoughts if they are hidden, and the other way round; whether they are shown then. */
    boolean toggleThinking();

    /** Something said by the program rather than by the model. */
    void note(String text);

    void error(String message);
}
