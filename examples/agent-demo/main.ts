console.log("the demo is on its way");
