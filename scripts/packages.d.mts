/** The folder of the checkout. */
export declare const ROOT: string;
