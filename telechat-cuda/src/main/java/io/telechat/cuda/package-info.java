// SPDX-License-Identifier: Apache-2.0
/**
 * The backend "cuda": the formulas on NVIDIA GPUs from sm_80 on, by kernels of our own ({@code src/main/cuda}). Not yet run on a GPU;
 * in every build all of it runs on a CPU, under an emulation and a stand-in of the driver ({@code src/test/native}).
 */
package io.telechat.cuda;
