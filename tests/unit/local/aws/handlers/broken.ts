/** A function whose configuration is wrong: it fails while it is loaded. */
throw new Error('The environment of broken is wrong: BUCKET is missing');
