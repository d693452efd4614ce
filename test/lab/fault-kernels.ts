import { playKernelFaults } from './scene/kernel-faults.ts';

/**
 * Two directors with a kernel each, and a witness: kernels that stand still, lose power, are cut off, and whose clocks
 * are set by an hour. Two never answer for the address, and no connection through IPVS is lost.
 */
export const needs = 'pair of kernels';
export const limitSeconds = 3000;
export const long = true;

playKernelFaults('vipkeeper');
