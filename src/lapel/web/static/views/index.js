// The view of each device family.

import { earbuds } from "./earbuds.js";
import { glasses } from "./glasses.js";
import { pendant } from "./pendant.js";
import { phone } from "./phone.js";
import { ring } from "./ring.js";

export const VIEWS = { glasses, ring, earbuds, pendant, phone };
