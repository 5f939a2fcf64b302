// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.Message;
import io.telechat.eval.run.RunProgress;
import java.util.Optional;

/** A bar for each task of an evaluation. */
final class TaskProgress implements RunProgress {
    private final Optional<Message> who;
    private final boolean quiet;
    private String task = "";
    private ProgressBar bar;

    /** @param who is evaluated, if there are several */
    TaskProgress(Optional<Message> who, boolean quiet) {
        this.who = who;
        this.quiet = quiet;
    }

    @Override
    public synchronized void scored(String name, int done, int total) {
        if (!name.equals(task)) {
            task = name;
            Message what = who.map(w -> Message.of("%s %s", w, name)).orElse(Message.of("%s", name));
            bar = ProgressBar.counting(what, done, quiet);
        }
        bar.loaded(done, total);
    }
}
