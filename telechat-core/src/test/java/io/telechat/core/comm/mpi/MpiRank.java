// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm.mpi;

import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.CommunicatorContract;
import java.time.Duration;

/** What a rank of {@link MpiTransportTest} runs. */
final class MpiRank {
    private MpiRank() {}

    public static void main(String[] arguments) {
        Communicator ranks = new Communicator(MpiTransport.world(Duration.ofSeconds(60)));
        switch (arguments[0]) {
            case "contract" -> {
                CommunicatorContract.check(ranks);
                ranks.close();
            }
            case "apart" -> {
                CommunicatorContract.checkThatRanksComeApart(ranks);
                Runtime.getRuntime().halt(0); // the way out that a failed run has
            }
            case "silent" -> {
                if (ranks.rank() == 0) {
                    ranks.barrier();
                } else {
                    Runtime.getRuntime().halt(9);
                }
            }
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }
}
