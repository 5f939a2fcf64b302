// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.plan;

/**
 * What an update of a run on several ranks sends and takes. Its passes may be several: what is gathered for each is gathered again.
 * Where sending and computing overlap: while a layer is computed, the next one's parameters come and the one before's gradients go (stage 3; gradients in stage 2);
 * gradients that are whole are summed when all passes are done, and parameters that are whole are gathered after the update.
 *
 * @param gathered bytes of parameters that all ranks gather, all together
 * @param summed bytes of gradients that they sum
 * @param computing seconds
 * @param moving seconds
 * @param total seconds
 */
public record StepTime(double gathered, double summed, double computing, double moving, double total) {
    /** An update's operations for each section, in stage 3: two to gather, one to sum. */
    private static final int PER_SECTION = 3;

    /**
     * @param stage of ZeRO
     * @param passes of an update
     * @param compute seconds of one of them
     */
    static StepTime of(TrainingPlan plan, int stage, int passes, double compute, Cluster cluster) {
        double gradients = 4.0 * plan.trained();
        boolean adapters = plan.adapters().isPresent();
        double parameters = plan.modelBytes();
        int sections = plan.model().config().layers() + 2;
        double gathered;
        double summed;
        double operations;
        double hidden; // share of moving that goes on beside computing
        if (stage >= 3) {
            gathered = 2 * parameters * passes + (adapters ? gradients : 0);
            summed = adapters ? gradients : gradients * passes;
            operations = (double) PER_SECTION * sections * passes;
            hidden = 1 - 1.0 / (sections * (double) passes);
        } else if (adapters || stage == 0) {
            gathered = gradients;
            summed = gradients;
            operations = 2;
            hidden = 0;
        } else {
            gathered = parameters;
            summed = stage == 2 ? gradients * passes : gradients;
            operations = stage == 2 ? 1.0 + sections * passes : 2;
            hidden = stage == 2 ? summed / (gathered + summed) : 0;
        }
        hidden = cluster.overlaps() ? hidden : 0;
        double computing = compute * passes;
        double moving = cluster.seconds(gathered, summed, operations);
        double beside = Math.max(0, moving * hidden - computing);
        return new StepTime(gathered, summed, computing, moving, computing + moving * (1 - hidden) + beside);
    }
}
